import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isSecretVariable, withoutCredentials } from '#core'

describe('withoutCredentials', () => {
  const crossed: readonly (readonly [string, string])[] = [
    ['https://u:p@h/x', 'https://xxxxx:xxxxx@h/x'],
    ['ssh://git@h/r.git', 'ssh://xxxxx@h/r.git'],
    ['s3://id:k@y@bucket/x', 's3://xxxxx:xxxxx@bucket/x'],
    ['https://h/x?access_token=abc', 'https://h/x?access_token=xxxxx'],
    ['https://h/x?a=1&TOKEN=abc&b=2#t', 'https://h/x?a=1&TOKEN=xxxxx&b=2#t'],
    ['https://h/x?access%5Ftoken=a%20b', 'https://h/x?access%5Ftoken=xxxxx'],
    ['https://h/x?a=1;password=b;c=2', 'https://h/x?a=1;password=xxxxx;c=2'],
    ['https://h/x#access_token=abc', 'https://h/x#access_token=xxxxx'],
    ['https://h/x?key=abc', 'https://h/x?key=xxxxx'],
    ['https://h/x?api-key=a=b', 'https://h/x?api-key=xxxxx'],
    ['https://h/x?private_token=a"b', 'https://h/x?private_token=xxxxx'],
    ['https://h/x?q=eyJhbGciOiJub25lIn0.e30.', 'https://h/x?q=xxxxx'],
    ['https://h/x?q=ghp_0123456789abcdef', 'https://h/x?q=xxxxx'],
    ['https://h/x?q=glpat-0123456789', 'https://h/x?q=xxxxx'],
    [
      'https://b.s3.amazonaws.com/x?X-Amz-Credential=A&X-Amz-Date=1&X-Amz-Signature=S&X-Amz-Security-Token=T',
      'https://b.s3.amazonaws.com/x?X-Amz-Credential=xxxxx&X-Amz-Date=1&X-Amz-Signature=xxxxx&X-Amz-Security-Token=xxxxx',
    ],
    [
      'https://a.blob.core.windows.net/x?sv=2024&se=2026&sig=S%3D',
      'https://a.blob.core.windows.net/x?sv=2024&se=2026&sig=xxxxx',
    ],
    [
      'ADD https://h/x?token=a http://h/y?v=1 /to/',
      'ADD https://h/x?token=xxxxx http://h/y?v=1 /to/',
    ],
    ['ADD ["https://h/x?token=a", "/to/"]', 'ADD ["https://h/x?token=xxxxx", "/to/"]'],
    ['ADD ["https://h/x?token=a","/to/"]', 'ADD ["https://h/x?token=xxxxx","/to/"]'],
    [
      'ADD ["https://h/x?token=a","http://i/y?sig=b","/to/"]',
      'ADD ["https://h/x?token=xxxxx","http://i/y?sig=xxxxx","/to/"]',
    ],
    ["ADD 'https://h/x?token=a' /to/", "ADD 'https://h/x?token=xxxxx' /to/"],
  ]
  for (const [text, expected] of crossed) {
    it(`shows ${text.slice(0, 60)} without`, () => {
      assert.equal(withoutCredentials(text), expected)
      assert.equal(withoutCredentials(expected), expected)
    })
  }

  const kept = [
    'https://h/x?version=1.2&checksum=sha256:0123&ref=main&design=a&monkey=b',
    'https://h/r.git?branch=main&subdir=a&keep-git-dir=1#v1:d',
    'git@h:r.git',
    'COPY a?token=b file@1 /to?key=x',
    'https://h/@z?a=b@c',
    'https://h/x?token=',
  ]
  for (const text of kept) {
    it(`leaves ${text} as it is`, () => assert.equal(withoutCredentials(text), text))
  }

  it('shows nothing of a secret, wherever the URL is', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9%+/@:'",.-]{6,20}$/).map((text) => `S3${text}S3`)
    const around = fc.stringMatching(/^[!-~]{0,10}$/)
    const name = fc.constantFrom('access_token', 'X-Amz-Signature', 'sig', 'password', 'key')
    fc.assert(
      fc.property(secret, around, name, (value, before, parameter) => {
        for (const url of [
          `https://h/x?a=1&${parameter}=${value}&b=2`,
          `https://h/x?${parameter}=${value}`,
          `https://u:${value.replaceAll('/', '')}@h/x`,
        ]) {
          const shown = withoutCredentials(`${before} ${url} /to/`)
          assert.equal(shown.includes(value.slice(2, 8)), false, shown)
        }
      }),
    )
  })

  it('takes time in proportion to the length', () => {
    for (const unit of [
      'https://',
      '"https://h/?token=a",',
      '?a=b',
      '&token=',
      'a:@',
      '"',
      '://@',
      '#=',
    ]) {
      const text = `https://${unit.repeat(300_000 / unit.length)}`
      const before = process.cpuUsage()
      withoutCredentials(text)
      assert.ok(process.cpuUsage(before).user < 1_000_000, unit)
    }
  })
})

describe('variables that look like secrets', () => {
  for (const [name, value, isSecret] of [
    ['NPM_TOKEN', 'x', true],
    ['AWS_SECRET_ACCESS_KEY', 'x', true],
    ['DB_PASSWORD', 'x', true],
    ['SSH_KEY_PASSPHRASE', 'x', true],
    ['API_KEY', 'x', true],
    ['GITHUB', 'ghp_0123456789abcdef', true],
    ['NODE_ENV', 'production', false],
    ['PATH', '/bin', false],
    ['VERSION', '1.2.3', false],
    ['KEYBOARD', 'de', false],
    ['AUTHOR', 'me', false],
  ] as const) {
    it(`${isSecret ? 'are' : 'are not'} such as ${name}=${value}`, () => {
      assert.equal(isSecretVariable(name, value), isSecret)
    })
  }
})
