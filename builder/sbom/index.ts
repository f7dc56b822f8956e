export { type SbomFormat, sbomDocument } from './documents/sbom-document.ts'
export { packageUrl } from './package-url.ts'
export { openScanner } from './scanner.ts'
