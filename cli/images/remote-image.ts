/** For a dynamic import, which is of a whole module: what only `--remote` needs of the builder. */
export { describeImage } from '#builder'
