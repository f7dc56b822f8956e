import assert from 'node:assert/strict'
import {
  busyboxBase,
  type Outcome,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { throwAwayRoot } from '../../support/throw-away/index.ts'
import { writeContext } from '../support/context.ts'
import { HERE, mustBuild, tsbuild } from '../support/tsbuild.ts'

/** The step changes whatever files it finds, those of the store as well: `find /` of a container. */
const find = (action: string): string =>
  `find /made /volume/store/blobs -type f -exec sh -c '${action}' {} \\;`

describe('steps in place that change the store', function () {
  this.timeout(120_000)
  let place: TemporaryDirectory
  let base: string
  before(async function () {
    if (process.getuid?.() !== 0) this.skip()
    base = await busyboxBase()
    place = temporaryDirectory('in-place-store')
  })
  after(() => place?.[Symbol.dispose]())

  function flagsFor(dockerfile: string): readonly string[] {
    writeContext(place.file('context'), { Dockerfile: dockerfile })
    return ['--reproducible', '--build-context', `base=oci-layout://${base}`, place.file('context')]
  }

  function inRoot(dockerfile: string): Promise<Outcome> {
    const prefix = throwAwayRoot({ show: [HERE.path, place.path, base] })
    const args = ['--isolation=in-place', '--jobs=1', ...flagsFor(dockerfile)]
    return tsbuild(args, { root: '/volume/store', cwd: '/', prefix })
  }

  it('do not change other stages', async () => {
    const dockerfile = `
FROM base AS one
RUN mkdir -p /made /volume/store/blobs && ${find('echo damaged > $0')} && touch /one
FROM base
COPY --from=one /one /one
RUN test -e /bin/wget && ls -lL /bin > /list
`
    const args = ['-q', ...flagsFor(dockerfile)]
    const expected = await mustBuild(args, { root: place.file('store') })
    const { status, stderr } = await inRoot(dockerfile)
    assert.equal(status, 0, stderr)
    assert.match(stderr, /the step has changed a layer of the store, which was made anew: \/volume/)
    assert.match(stderr, new RegExp(expected.stdout.trim()))
  })

  it('change no layer by other rights and times', async () => {
    const { status, stderr } = await inRoot(`
FROM base AS one
RUN mkdir /made && ${find('chmod 600 $0; touch -d @1 $0')}
FROM base
COPY --from=one /made /made
RUN test -d /made
`)
    assert.equal(status, 0, stderr)
    assert.doesNotMatch(stderr, /changed a layer/)
  })

  it('are an error that teaches where a layer cannot be made anew', async () => {
    const { status, stderr } = await inRoot(`
FROM base AS made
RUN mkdir /made && echo tool > /made/tool
FROM base
COPY --from=made /made/tool /first
RUN mkdir /made && ${find('echo damaged >> $0')}
COPY --from=made /made/tool /second
`)
    assert.equal(status, 1, stderr)
    assert.match(stderr, /a layer of the store was changed by a step that ran in place: \/volume/)
    assert.match(stderr, /-path \/volume\/store -prune/)
  })
})
