/** A shorter piece is not worth a hole: it is less than a block of most file systems. */
const LEAST = 4096

const ZEROS = new Uint8Array(64 * 1024)

/** Whether a piece of a file is nothing but zeros, and large enough to be a hole in it. */
export function isHole(bytes: Uint8Array): boolean {
  const { length } = bytes
  if (length < LEAST || bytes[0] !== 0 || bytes[length - 1] !== 0) return false
  for (let at = 0; at < length; at += ZEROS.length) {
    const piece = bytes.subarray(at, at + ZEROS.length)
    if (Buffer.compare(piece, ZEROS.subarray(0, piece.length)) !== 0) return false
  }
  return true
}
