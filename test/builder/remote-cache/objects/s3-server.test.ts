import assert from 'node:assert/strict'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { type S3Server, startS3Server } from '../../../support/object-stores/index.ts'

/** The server of the tests: what it adds to the one that it is made of. */
describe('the S3 server of the tests', () => {
  let server: S3Server
  let client: S3Client
  before(async () => {
    server = await startS3Server()
    client = clientWith(server.secretAccessKey)
  })
  after(async () => {
    client?.destroy()
    await server?.[Symbol.asyncDispose]()
  })

  function clientWith(secretAccessKey: string): S3Client {
    const { accessKeyId, endpoint } = server
    const credentials = { accessKeyId, secretAccessKey }
    const place = { endpoint, forcePathStyle: true, region: 'eu-test-1' }
    return new S3Client({ ...place, credentials, requestChecksumCalculation: 'WHEN_REQUIRED' })
  }

  const put = (text: string, more: object = {}, by = client) =>
    by.send(new PutObjectCommand({ Bucket: server.bucket, Key: 'a/b', Body: text, ...more }))

  it('writes on conditions, and one of several writers at a time', async () => {
    const { ETag } = await put('one', { IfNoneMatch: '*' })
    await assert.rejects(put('two', { IfNoneMatch: '*' }), { name: 'PreconditionFailed' })
    await assert.rejects(put('two', { IfMatch: '"other"' }), { name: 'PreconditionFailed' })
    await assert.rejects(put('two', { IfMatch: ETag, Key: 'none' }), { name: 'NoSuchKey' })
    const writers = ['two', 'three', 'four'].map((text) => put(text, { IfMatch: ETag }))
    const ended = await Promise.allSettled(writers)
    assert.equal(ended.filter(({ status }) => status === 'fulfilled').length, 1)
  })

  it('refuses what is signed with another secret', async () => {
    const other = clientWith('another')
    await assert.rejects(put('x', {}, other), { name: 'SignatureDoesNotMatch' })
    other.destroy()
  })
})
