/** Packed bytes are damaged or of another format. */
export class CodecError extends Error {
  readonly code = 'ERR_CODEC'
}
