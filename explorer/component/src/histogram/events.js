// @ts-check

/**
 * The element that an event happened on.
 * @param {Event} event
 */
export function elementOf(event) {
  return event.target instanceof Element ? event.target : null;
}
