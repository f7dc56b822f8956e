import { hostname } from 'node:os'
import type { LoggedContainer } from './logged-container.ts'
import { startError } from './option-error.ts'

const ACTION = /\{\{-?\s*(.*?)\s*-?\}\}/gs
const SHORT_ID = 12

/** Fields of a tag. Spec: docs.docker.com/engine/logging/log_tags */
const FIELDS: Readonly<Record<string, (container: LoggedContainer) => string>> = {
  ID: ({ id }) => id.slice(0, SHORT_ID),
  FullID: ({ id }) => id,
  Name: ({ name }) => name,
  ImageID: ({ imageId }) => imageId.slice(0, SHORT_ID),
  ImageFullID: ({ imageId }) => imageId,
  ImageName: ({ imageName }) => imageName,
  Command: ({ command }) => command.join(' '),
  Hostname: () => hostname(),
  DaemonName: () => 'docker',
  ContainerID: ({ id }) => id,
  ContainerName: ({ name }) => `/${name}`,
  ContainerImageID: ({ imageId }) => imageId,
  ContainerImageName: ({ imageName }) => imageName,
}

/** A tag with its fields filled in. @throws {TsbuildError} USAGE for other actions than fields */
export function expandTag(template: string, container: LoggedContainer): string {
  const rest = template.replaceAll(ACTION, '')
  if (rest.includes('{{')) throw startError('template: log-tag:1: unclosed action')
  return template.replaceAll(ACTION, (action, text: string) => {
    const name = text.replace(/^\./, '')
    const field = Object.hasOwn(FIELDS, name) && text.startsWith('.') ? FIELDS[name] : undefined
    if (field === undefined) {
      const reason = `executing "log-tag" at <${text}>: can't evaluate field ${name}`
      throw startError(`template: log-tag:1:${template.indexOf(action) + 2}: ${reason}`)
    }
    return field(container)
  })
}
