// @ts-check
// Brings the core to a Streamlit page. A component's script travels with every rerun that changes
// its data; this one has no data, so it travels once.

import css from "./histogram/histogram.css";
import { mount } from "./histogram/histogram.js";
import { slot } from "./slot.js";

slot().resolve({ mount, css });

export default function () {
  // The core is on the page now; there is nothing to draw.
}
