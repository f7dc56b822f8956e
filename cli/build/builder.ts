/** For a dynamic import, which is of a whole module: this one has no more of the builder than a build. */
export { build } from '#builder'
