export { annotate, parseAnnotations } from './annotation-values.ts'
export {
  ATTESTATION_TYPES,
  attestationsOf,
  parseAttestation,
  parseTypedAttestation,
} from './attestation-values.ts'
export { parseCacheFrom, parseCacheTo, readCacheFrom, readCacheTo } from './cache-values.ts'
export { OUTPUT_TYPES, parseEngine } from './output-types.ts'
export { parseOutput, readOutput } from './output-value.ts'
export { splitCsv } from './split-csv.ts'
export { parseHost, parseUlimit } from './step-values.ts'
