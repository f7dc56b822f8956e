export * from './bodies.ts'
export { capabilitiesOf } from './capabilities.ts'
export * from './container-record.ts'
export { EMPTY_CONFIG } from './empty-config.ts'
export {
  booleanFilter,
  type Filters,
  matchesAny,
  matchesLabels,
  nameFilter,
  parseFilters,
  untilFilter,
} from './filters.ts'
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
export { taggedAt, withTagTime } from './tag-time.ts'
export {
  byCreation,
  formatTime,
  formatWholeTime,
  instant,
  now,
  parseMoment,
  parseTime,
} from './time.ts'
