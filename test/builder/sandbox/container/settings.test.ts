import assert from 'node:assert/strict'
import { labelsFor } from '../../../../builder/sandbox/container/container-labels.ts'
import { profileFor } from '../../../../builder/sandbox/container/container-rights.ts'

const LABELS = {
  process: 'system_u:system_r:container_t:s0:c1,c2',
  file: 'system_u:object_r:container_file_t:s0:c1,c2',
  source: 'system_u:object_r:container_ro_file_t:s0',
}

describe('settings of containers for security modules', () => {
  const labels = (...options: readonly string[]) =>
    labelsFor({ container: { labels: options } }, LABELS)

  it('change the parts of labels that they name', () => {
    assert.deepEqual(labelsFor({}, LABELS), LABELS)
    assert.deepEqual(labels(), LABELS)
    assert.deepEqual(labels('type:spc_t', 'role:unconfined_r', 'user:root'), {
      ...LABELS,
      process: 'root:unconfined_r:spc_t:s0:c1,c2',
    })
    assert.deepEqual(labels('level:s0:c100,c200'), {
      ...LABELS,
      process: 'system_u:system_r:container_t:s0:c100,c200',
      file: 'system_u:object_r:container_file_t:s0:c100,c200',
    })
  })

  it('switch labels off, and do nothing where there are none', () => {
    assert.equal(labels('disable'), undefined)
    assert.equal(labels('type:spc_t', 'disable'), undefined)
    assert.equal(labelsFor({ container: { labels: ['type:spc_t'] } }, undefined), undefined)
  })

  it('are refused when they are unknown', () => {
    for (const option of ['', 'enable', 'disable:x', 'type', 'type:', 'type:a b', 'color:red']) {
      assert.throws(() => labels(option), { code: 'USAGE' }, option)
      assert.throws(() => labelsFor({ container: { labels: [option] } }, undefined), {
        code: 'USAGE',
      })
    }
  })

  it('choose a profile of AppArmor where the kernel takes any', () => {
    const profile = (apparmor: string | undefined, host: Parameters<typeof profileFor>[1]) => {
      const container = apparmor === undefined ? {} : { apparmor }
      return profileFor({ security: 'sandbox', container }, host)
    }
    const loaded = { profile: 'docker-default', takesProfiles: true }
    assert.equal(profile(undefined, loaded), 'docker-default')
    assert.equal(profile('unconfined', loaded), undefined)
    assert.equal(profile('own', loaded), 'own')
    assert.equal(profile('own', { profile: undefined, takesProfiles: true }), 'own')
    assert.equal(profile('own', { profile: undefined, takesProfiles: false }), undefined)
    assert.equal(profileFor({ security: 'insecure', container: {} }, loaded), undefined)
    assert.equal(
      profileFor({ security: 'insecure', container: { apparmor: 'own' } }, loaded),
      'own',
    )
  })
})
