// For a dynamic import of no more than this: one of the whole parser would keep all of it.
export { SourceError } from '#parser'
