import assert from 'node:assert/strict'
import { TsbuildError } from '#core'
import { damagesOf, FILES, type Part } from './support/damages.ts'
import { type StoreCopy, StoredImage } from './support/stored-image.ts'

const STEP_ON_TOP =
  'RUN --mount=from=base,source=/bin,target=/bin cat /d/ran /d/copied /last > /seen'

/** What a store is used for: each gives what identifies the result. */
const USES: Readonly<Record<string, (copy: StoreCopy) => Promise<string | undefined>>> = {
  'a cached build, and a push': async (copy) => {
    const { imageId } = await copy.build()
    return `${imageId} ${await copy.push()}`
  },
  'a step on top': async (copy) => (await copy.build({}, [STEP_ON_TOP])).imageId,
  'a push': (copy) => copy.push(),
  'an archive': async (copy) => {
    const outputs = [{ type: 'oci', dest: copy.path('../out.tar') }] as const
    return (await copy.build({ outputs })).digest
  },
}

/** Steps read what their layers hold without a digest: `store verify` finds this. */
const READ_BY_STEPS = 'a file in the folder of a step'

const CODES: ReadonlySet<string> = new Set(['DIGEST_MISMATCH', 'SIZE_MISMATCH', 'NOT_FOUND'])

/** Uses stores that are damaged in all kinds of ways. */
export function damagedSuite(part: Part): void {
  let image: StoredImage
  const right = new Map<string, string | undefined>()
  before(async () => {
    image = await StoredImage.make()
    for (const [use, run] of Object.entries(USES)) right.set(use, await run(await image.copy()))
  })
  after(() => image?.[Symbol.asyncDispose]())

  for (const [row, [what, path]] of Object.entries(FILES).entries()) {
    for (const [index, [use, run]] of Object.entries(USES).entries()) {
      for (const [kind, harm] of damagesOf(row + index, part)) {
        if (what === READ_BY_STEPS && use === 'a step on top') continue
        it(`with ${kind} of ${what} gives ${use} what is right, after one failure at most`, async () => {
          const copy = await image.copy()
          harm(path(copy))
          const first = await run(copy).catch(failureOf)
          if (first instanceof TsbuildError) {
            assert.ok(CODES.has(first.code), `${first.code}: ${first.message}`)
            // What its hint says: build again.
            assert.equal((await copy.build()).imageId, image.built.imageId)
          } else {
            assert.equal(first, right.get(use))
          }
          assert.equal(await run(copy), right.get(use))
        })
      }
    }
  }
}

/** A bug is none. */
function failureOf(cause: unknown): TsbuildError {
  if (cause instanceof TsbuildError) return cause
  throw cause
}
