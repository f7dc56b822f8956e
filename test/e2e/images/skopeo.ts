import { createHash } from 'node:crypto'
import { run } from '../../support/peers/index.ts'

/** A manifest or index as skopeo reads it. */
export interface RawManifest {
  readonly digest: string
  readonly document: {
    readonly config?: { readonly digest: string }
    readonly layers?: readonly { readonly digest: string; readonly mediaType: string }[]
    readonly manifests?: readonly { readonly digest: string }[]
  }
}

/** What skopeo finds behind one of its references, `docker://…`, `oci:…`, …; the digest is computed here. */
export async function rawManifest(reference: string): Promise<RawManifest> {
  const args = ['--insecure-policy', 'inspect', '--raw', '--tls-verify=false', reference]
  const { stdout } = await run('skopeo', args)
  const digest = `sha256:${createHash('sha256').update(stdout).digest('hex')}`
  return { digest, document: JSON.parse(stdout) as RawManifest['document'] }
}
