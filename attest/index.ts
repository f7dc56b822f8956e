export { type Attested, attestImages } from './attest.ts'
