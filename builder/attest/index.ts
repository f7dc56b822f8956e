export { type AttestDeps, type Attested, type AttestedImage, attestImages } from './attest.ts'
