/** Packed bytes that are not what they claim to be. */
export class CodecError extends Error {
  readonly code = 'ERR_CODEC'
}
