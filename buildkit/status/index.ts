export {
  contextTransfer,
  definitionTransfer,
  ignoreFileTransfer,
  namedContextTransfer,
  outputTransfer,
  reportTransfer,
  type TransferVertex,
} from './own-vertices.ts'
export { solveError } from './solve-error.ts'
export { StatusFeed } from './status-feed.ts'
