// A page opened from a file may start no worker, and its search would stay silent: a hidden frame takes the worker's place.
// On a server nothing here is done.
"use strict";

/** What the search asks of a worker: postMessage, and a "message" event for each answer. */
class FrameWorker extends EventTarget {
  constructor(url) {
    super();
    this.frame = document.createElement("iframe");
    this.frame.hidden = true;
    document.body.append(this.frame);
    const inside = this.frame.contentWindow;
    inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
    this.ready = run(inside, new URL(url, document.baseURI));
  }

  postMessage(data) {
    this.ready.then((inside) => inside.dispatchEvent(new MessageEvent("message", { data })));
  }

  terminate() {
    this.frame.remove();
  }
}

/** The window, once it has run the script. */
function run(inside, url) {
  return new Promise((resolve, reject) => {
    const script = inside.document.createElement("script");
    script.src = url;
    script.onload = () => resolve(inside);
    script.onerror = () => reject(new Error(`${url} could not be read`));
    inside.document.body.append(script);
  });
}

if (location.protocol === "file:") window.Worker = FrameWorker;
