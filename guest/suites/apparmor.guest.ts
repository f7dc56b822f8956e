import assert from 'node:assert/strict'
import { run } from '../../test/support/peers/index.ts'
import { root, userOutside } from './persons.ts'
import { Steps } from './steps.ts'

/** Docker's is longer; what it denies here is easily tried. */
const PROFILE = `
profile docker-default flags=(attach_disconnected,mediate_deleted) {
  file,
  network,
  capability,
  signal,
  umount,
  deny /forbidden w,
  deny mount,
}
`

const SHOW = `tr -d '\\0' < /proc/self/attr/current; echo > /forbidden && echo written; echo > /allowed && echo allowed`

describe('the profile of AppArmor', () => {
  let steps: Steps
  before(async () => {
    steps = await Steps.of(root())
  })
  after(() => steps[Symbol.asyncDispose]())

  it('is missed with a warning before it is loaded', async () => {
    const { status, stderr } = await steps.run(SHOW)
    assert.equal(status, 0, stderr)
    assert.match(stderr, /not confined by AppArmor: the profile docker-default is not loaded/)
    assert.match(stderr, /written/)
    assert.equal((await steps.doctor()).get('confinement')?.state, 'limited')
  })

  describe('once it is loaded', () => {
    before(() => run('apparmor_parser', ['--add'], { input: PROFILE }))

    for (const flags of [[], ['--runtime', 'runc']]) {
      it(`confines steps: ${flags.join(' ') || 'in process'}`, async () => {
        const lines = await steps.linesOf(SHOW, flags)
        assert.equal(lines[0], 'docker-default (enforce)')
        assert.match(lines.join('\n'), /can't create \/forbidden: Permission denied/)
        assert.ok(lines.includes('allowed') && !lines.includes('written'), lines.join('\n'))
      })
    }

    it('is not that of steps with all rights, nor of those of ordinary users', async () => {
      const flags = ['--allow', 'security.insecure']
      const [insecure] = await steps.linesOf(SHOW, flags, '--security=insecure')
      assert.equal(insecure, 'unconfined')
      await using others = await Steps.of(userOutside())
      const [other] = await others.linesOf(SHOW)
      assert.equal(other, 'unconfined')
    })

    it('is what the doctor finds', async () => {
      const confinement = (await steps.doctor()).get('confinement')
      assert.equal(confinement?.state, 'ok', confinement?.detail)
    })
  })
})
