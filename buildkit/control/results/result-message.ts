import type { Draft, Ref, Result } from '#buildkit/messages'
import type { HeldBuild, HeldRef } from './held-build.ts'
import { resultDefinition } from './result-id.ts'

/** The parts of a result that a client has returned. */
export function refsOf({ ref, refs }: Result): readonly string[] {
  if (ref !== undefined) return ref.id === '' ? [] : [ref.id]
  return [...(refs?.refs.values() ?? [])].map(({ id }) => id)
}

const CONFIG = 'containerimage.config'

/** What a client is told of a result. Spec: BuildKit, exporter/containerimage/exptypes */
export function resultOf({ refs }: HeldBuild): Draft<Result> {
  const [only, ...others] = refs
  if (only !== undefined && others.length === 0) {
    return { ref: draftOf(only), metadata: new Map([[CONFIG, Buffer.from(only.image.config)]]) }
  }
  const platforms = refs.map(({ image: { platform } }) => {
    const [os, architecture, variant] = platform.split('/')
    return { ID: platform, Platform: { architecture, os, ...(variant && { variant }) } }
  })
  return {
    refs: { refs: new Map(refs.map((one) => [one.image.platform, draftOf(one)])) },
    metadata: new Map([
      ...refs.map(
        ({ image }) => [`${CONFIG}/${image.platform}`, Buffer.from(image.config)] as const,
      ),
      ['refs.platforms', Buffer.from(JSON.stringify({ Platforms: platforms }))] as const,
    ]),
  }
}

function draftOf({ id }: HeldRef): Draft<Ref> {
  return { id, def: resultDefinition(id) }
}
