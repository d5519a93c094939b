/** The digest of the sources, put in by the bundler. */
declare const VERSION: string;

declare module "*.css" {
  const text: string;
  export default text;
}
