// @ts-check
// Bundles src/ into bundle/, which is committed: `node build.js`. With --check nothing is written;
// the process ends with 1 if the committed files are not what the sources give.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const SOURCES = join(HERE, "src");
// One file for each script that a page gets by itself: those that travel often stay small.
const ENTRIES = ["anywidget", "drawing", "graph", "page_watch", "schedule", "streamlit", "streamlit_parts", "ticker"];

/** What tells one state of the sources from another; tests/component/test_bundle.py computes it, too. */
function digestOfSources() {
  const digest = createHash("sha256");
  const names = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((name) => /\.\w+$/.test(name));
  for (const name of names.map((each) => each.replaceAll("\\", "/")).sort()) {
    digest.update(`${name}\0`).update(readFileSync(join(SOURCES, name))).update("\0");
  }
  return digest.digest("hex").slice(0, 16);
}

/** @param {string} version */
async function bundled(version) {
  const result = await build({
    absWorkingDir: SOURCES,
    entryPoints: ENTRIES.map((name) => `${name}.js`),
    outdir: join(HERE, "bundle"),
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    charset: "utf8",
    legalComments: "none",
    loader: { ".css": "text" },
    define: { VERSION: JSON.stringify(version) },
    banner: { js: `// Made from src/ by "make component": change it there. Sources: ${version}` },
  });
  return result.outputFiles;
}

/** @param {string} path */
function committed(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

const files = await bundled(digestOfSources());
if (process.argv.includes("--check")) {
  const stale = files.filter((file) => committed(file.path) !== file.text);
  for (const file of stale) process.stderr.write(`${file.path} is not what the sources give. Run: make component\n`);
  process.exitCode = stale.length ? 1 : 0;
} else {
  for (const file of files) writeFileSync(file.path, file.text);
}
