/** For a dynamic import: it is loaded only when there is a file in TOML. */
export { parse } from 'smol-toml'
