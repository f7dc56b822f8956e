export { type SbomFormat, sbomDocument } from './documents/sbom-document.ts'
export { packageUrl } from './package/package-url.ts'
export { openScanner } from './scan/scanner.ts'
