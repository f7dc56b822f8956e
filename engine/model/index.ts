export * from './bodies.ts'
export { capabilitiesOf } from './capabilities.ts'
export * from './container-record.ts'
export { EMPTY_CONFIG } from './empty-config.ts'
export { type Filters, matchesAny, matchesLabels, parseFilters } from './filters.ts'
export { mergeConfig, variableName } from './merge-config.ts'
export {
  checkContainerName,
  findNamed,
  hostnameOf,
  inventName,
  newId,
  parseLink,
} from './names.ts'
export * from './network-bodies.ts'
export {
  CONFIG_SHAPE,
  CREATE_SHAPE,
  EXEC_SHAPE,
  UPDATE_SHAPE,
} from './shapes.ts'
export { formatTime, instant, now } from './time.ts'
