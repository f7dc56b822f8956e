import assert from 'node:assert/strict'
import { parsePlatform } from '#core'
import {
  type Annotation,
  annotationsFor,
  checkForm,
} from '../../../../builder/export/manifests/image-form.ts'

const [amd64, arm64] = ['linux/amd64', 'linux/arm64/v8'].map(parsePlatform)
const BOTH = { platforms: [amd64, arm64].filter((one) => one !== undefined), isIndex: true }
const ONE = { platforms: BOTH.platforms.slice(0, 1), isIndex: false }
const one = (level: Annotation['level'], platform?: string): Annotation => {
  return { level, key: 'a', value: 'b', ...(platform === undefined ? {} : { platform }) }
}

describe('the form of images', () => {
  it('has annotations for what there is', () => {
    for (const level of ['manifest', 'index', 'manifest-descriptor', 'index-descriptor'] as const) {
      checkForm({ annotations: [one(level)] }, BOTH)
    }
    checkForm({ annotations: [one('manifest', 'linux/arm64')] }, BOTH)
    checkForm({ annotations: [one('manifest-descriptor')], ociMediaTypes: true }, ONE)
    checkForm({ ociMediaTypes: false }, ONE)
    checkForm({ annotations: [one('index')] }, { ...ONE, isAttested: true })
  })

  it('has none for an index that is not made, of another platform, or in documents of docker', () => {
    for (const [annotation, images, code] of [
      [one('index'), ONE, 'USAGE'],
      [one('index-descriptor'), ONE, 'USAGE'],
      [one('manifest', 'linux/arm64'), ONE, 'PLATFORM_MISMATCH'],
      [{ ...one('manifest'), key: '' }, ONE, 'USAGE'],
    ] as const) {
      assert.throws(() => checkForm({ annotations: [annotation] }, images), { code })
    }
    const docker = { annotations: [one('manifest')], ociMediaTypes: false }
    assert.throws(() => checkForm({ ociMediaTypes: false }, { ...ONE, isAttested: true }), {
      code: 'USAGE',
      message: 'cannot export attestations with "oci-mediatypes=false"',
    })
    assert.throws(() => checkForm(docker, ONE), {
      code: 'USAGE',
      message: 'cannot export annotations with "oci-mediatypes=false"',
    })
  })

  it('gives a manifest those of its platform, the last value of a key', () => {
    const annotations = [one('manifest'), { ...one('manifest', 'linux/arm64'), value: 'c' }]
    assert.deepEqual(annotationsFor({ annotations }, 'manifest', amd64), { a: 'b' })
    assert.deepEqual(annotationsFor({ annotations }, 'manifest', arm64), { a: 'c' })
    assert.equal(annotationsFor({ annotations }, 'index'), undefined)
  })
})
