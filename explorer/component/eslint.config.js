// @ts-check
import js from "@eslint/js";
import globals from "globals";

const rules = /** @type {const} */ ({
  complexity: ["error", 10],
  "max-lines": ["error", 300],
  "max-lines-per-function": ["error", 50],
  "max-params": ["error", 4],
  eqeqeq: "error",
  "no-var": "error",
  "prefer-const": "error",
  "no-shadow": "error",
  "object-shorthand": "error",
});

export default [
  { ignores: ["bundle/"] },
  js.configs.recommended,
  { rules, linterOptions: { reportUnusedDisableDirectives: "error" } },
  { files: ["src/**/*.js"], languageOptions: { globals: { ...globals.browser, VERSION: "readonly" } } },
  { files: ["*.js", "test/**/*.js"], languageOptions: { globals: globals.node } },
];
