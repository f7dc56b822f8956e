export {
  type CheckOptions,
  checkSignatures,
  type SignatureCheck,
} from './images/check-signatures.ts'
export {
  checkProvenance,
  type Provenance,
  type ProvenanceCheck,
  type ProvenanceMaterial,
} from './images/check-provenance.ts'
export { type SignOptions, signImage } from './images/sign-image.ts'
export {
  generateKeys,
  type ImageSigner,
  type ImageVerifier,
  imageSigner,
  imageVerifier,
} from './keys/image-key.ts'
export {
  digestFor,
  needsPassword,
  openPrivateKey,
  openPublicKey,
  readKey,
} from './keys/key-file.ts'
