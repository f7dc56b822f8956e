import { writeFileSync } from 'node:fs'
import { run } from '../../peers/index.ts'

/** Files in PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** Makes an authority in a folder. */
export async function makeAuthority(folder: string, name: string): Promise<Certificate> {
  const [cert, key] = [`${folder}/${name}.crt`, `${folder}/${name}.key`]
  const usage = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign']
  const files = ['-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert]
  await run('openssl', ['req', '-x509', ...files, '-subj', `/CN=${name}`, '-days', '2', ...usage])
  return { cert, key }
}

/** Makes a certificate that `authority` has signed: for the names of a server, or without any for a client. */
export async function makeSigned(
  folder: string,
  name: string,
  options: { readonly authority: Certificate; readonly names?: readonly string[] },
): Promise<Certificate> {
  const { authority, names = [] } = options
  const [cert, key, request, extensions] = ['crt', 'key', 'csr', 'ext'].map(
    (end) => `${folder}/${name}.${end}`,
  ) as [string, string, string, string]
  const subject = ['-subj', `/CN=${name}`]
  await run('openssl', [
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    key,
    '-out',
    request,
    ...subject,
  ])
  const purpose = names.length === 0 ? 'clientAuth' : 'serverAuth'
  const alternatives = names.length === 0 ? '' : `subjectAltName=${names.join(',')}\n`
  writeFileSync(extensions, `extendedKeyUsage=${purpose}\n${alternatives}`)
  const signer = ['-CA', authority.cert, '-CAkey', authority.key, '-CAcreateserial']
  const files = ['-in', request, '-out', cert, '-extfile', extensions]
  await run('openssl', ['x509', '-req', ...files, ...signer, '-days', '2'])
  return { cert, key }
}
