export { type GraphFormat, renderGraph } from './render.ts'
