/** For a dynamic import, which is of a whole module: what only some commands need of the store. */
export { Collector, sumOfBytes } from '#cache'
