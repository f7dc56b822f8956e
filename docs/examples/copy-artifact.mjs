// Pushes a file as an artifact, reads it back by digest, and says what refers to it:
//   node docs/examples/copy-artifact.mjs REGISTRY/REPOSITORY:TAG FILE
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import {
  createRegistryClient,
  dockerConfigCredentials,
  parseReference,
  pushImage,
  RegistryError,
  withDefaultTag,
} from 'tsbuild/registry-client'

const [name = '', file = ''] = process.argv.slice(2)
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const { env } = process

const client = createRegistryClient({
  credentials: dockerConfigCredentials({
    configDir: env.DOCKER_CONFIG ?? join(homedir(), '.docker'),
    authConfig: env.DOCKER_AUTH_CONFIG,
    env,
  }),
  environment: env,
  onWarning: (text) => console.error(text),
})
try {
  const { tag = 'latest', ...reference } = withDefaultTag(parseReference(name))
  const repository = client.repository(reference)

  const bytes = readFileSync(file)
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const descriptor = { mediaType: 'application/octet-stream', digest, size: bytes.length }
  const pushed = await pushImage(repository, {
    layers: [{ kind: 'blob', id: file, descriptor, open: () => createReadStream(file) }],
    config: { mediaType: 'application/vnd.oci.empty.v1+json', bytes: Buffer.from('{}') },
    assemble: (config, layers) => {
      const artifactType = 'application/vnd.example.file'
      const manifest = { schemaVersion: 2, mediaType: MANIFEST, artifactType, config, layers }
      return { mediaType: MANIFEST, bytes: Buffer.from(JSON.stringify(manifest)) }
    },
    tags: [tag],
    signal: AbortSignal.timeout(60_000),
  })

  let size = 0
  for await (const chunk of await repository.open(descriptor)) size += chunk.length
  const { descriptors } = await repository.referrers(pushed.manifest.digest)
  const tags = await repository.tags({ pages: 1 })
  const { digest: root } = await repository.resolve(tag)
  console.log(JSON.stringify({ root, size, tags, referrers: descriptors.length }))
} catch (error) {
  if (!(error instanceof RegistryError)) throw error
  console.error(`${error.code}: ${error.message}`)
  process.exitCode = 1
} finally {
  await client.close()
}
