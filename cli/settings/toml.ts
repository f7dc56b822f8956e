/** For a dynamic import: it is loaded only when there is a file of settings. */
export { parse } from 'smol-toml'
