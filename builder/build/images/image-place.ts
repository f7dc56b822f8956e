import { TsbuildError } from '#core'
import { parseReference, type Reference, withDefaultTag } from '#registry-client'

/** Where an image is copied from or to. */
export type ImagePlace =
  | { readonly kind: 'registry'; readonly reference: Reference }
  /** `oci`: a folder. The others are tars. `name`: a tag or a whole name in it. */
  | {
      readonly kind: 'oci' | 'oci-archive' | 'docker-archive'
      readonly path: string
      readonly name: string | undefined
    }

const FORM = /^(oci|oci-archive|docker-archive):(?!\/\/)([^:]+)(?::(.+))?$/

/**
 * Reads `oci:FOLDER[:NAME]`, `oci-archive:FILE[:NAME]`, `docker-archive:FILE[:NAME]`, or a reference, also behind
 * `docker://`, as skopeo has it.
 * @throws {TsbuildError} REFERENCE_INVALID, USAGE
 */
export function parseImagePlace(text: string): ImagePlace {
  const [, kind, path = '', name] = FORM.exec(text) ?? []
  if (kind === 'oci' || kind === 'oci-archive' || kind === 'docker-archive') {
    return { kind, path, name }
  }
  const scheme = /^([a-z-]+):\/\//.exec(text)?.[1]
  if (scheme !== undefined && scheme !== 'docker') {
    throw new TsbuildError(`unknown kind of image: ${scheme}://`, {
      code: 'USAGE',
      hint: 'write NAME, oci:FOLDER:TAG, oci-archive:FILE:TAG or docker-archive:FILE:NAME',
    })
  }
  const reference = parseReference(text.replace(/^docker:\/\//, ''))
  return { kind: 'registry', reference: withDefaultTag(reference) }
}
