const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const HOST = '(?:[a-zA-Z0-9][a-zA-Z0-9.-]*|\\[[0-9a-fA-F:]+\\])(?::[0-9]{1,5})?'
const TAG = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}'
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}'
const IMAGE = new RegExp(`^(?:${HOST}/)?${COMPONENT}(?:/${COMPONENT})*(?::${TAG})?(?:@${DIGEST})?$`)
const MAX_LENGTH = 1024

/** True for what can stand behind FROM: `[registry/]repository[:tag][@digest]`, or an OCI layout. */
export function isImageName(text: string): boolean {
  if (text.startsWith('oci-layout://')) return true
  return text.length <= MAX_LENGTH && IMAGE.test(text)
}
