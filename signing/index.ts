export {
  checkProvenance,
  type Provenance,
  type ProvenanceCheck,
} from './images/check-provenance.ts'
export {
  checkSignatures,
  type SignatureCheck,
} from './images/check-signatures.ts'
export { openSigners, type SignGraph, type SigningKey } from './images/open-signers.ts'
export {
  generateKeys,
  imageVerifier,
} from './keys/image-key.ts'
export {
  digestFor,
  openPrivateKey,
  openPublicKey,
  readKey,
} from './keys/key-file.ts'
