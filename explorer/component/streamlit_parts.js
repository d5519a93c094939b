// Brings the core to a Streamlit page. A component's script travels with every rerun that changes
// its data; this one has no data, so it travels once.

const slot = (globalThis[SLOT] ??= Promise.withResolvers());
slot.resolve({ mount, css: CSS });

export default function () {}
