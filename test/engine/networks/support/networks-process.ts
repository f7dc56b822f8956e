/** An engine that has networks, and containers without programs, in the network that it is started in: a `LabProgram`. */
import { ContainerNetworks } from '#builder/network'
import type { ContainerRecord, CreateBody, EndpointConfig, NetworkCreateBody } from '#engine/model'
import { type NetworkRecord, Networks, withFormerFields } from '#engine/networks'
import type { NewEvent } from '#engine/state'
import { serveTest } from '../../../support/networks/index.ts'
import { memoryDocuments } from '../../support/memory-documents.ts'
import { recordOf } from './record.ts'

/** What it can be asked for. */
export type Asked =
  | { readonly ask: 'create'; readonly body: NetworkCreateBody }
  | { readonly ask: 'inspect'; readonly network: string }
  | { readonly ask: 'remove'; readonly network: string }
  | { readonly ask: 'run'; readonly name: string; readonly body: CreateBody }
  | { readonly ask: 'end'; readonly name: string }
  | { readonly ask: 'rename'; readonly name: string; readonly to: string }
  | {
      readonly ask: 'connect'
      readonly name: string
      readonly network: string
      readonly config?: EndpointConfig
    }
  | { readonly ask: 'disconnect'; readonly name: string; readonly network: string }
  | { readonly ask: 'look'; readonly name: string }
  | { readonly ask: 'events' }

const events: NewEvent[] = []
const containers = new Map<string, ContainerRecord>()
const networks = new Networks({
  documents: memoryDocuments<NetworkRecord>(),
  emit: (event) => void events.push(event),
  open: () => ContainerNetworks.open(),
})

function known(name: string): ContainerRecord {
  const found = containers.get(name)
  if (found === undefined) throw new Error(`the test has no ${name}`)
  return found
}

async function perform(asked: Asked): Promise<unknown> {
  switch (asked.ask) {
    case 'create':
      return networks.create(asked.body)
    case 'inspect':
      return networks.inspect(asked.network)
    case 'remove':
      return await networks.remove(asked.network)
    case 'run': {
      const record = recordOf(asked.name, asked.body)
      const entered = await networks.enter(record)
      containers.set(asked.name, record)
      const { place } = entered
      return place === undefined ? '' : `/proc/${process.pid}/fd/${place.namespace}`
    }
    case 'end':
      await networks.leave(known(asked.name))
      containers.delete(asked.name)
      return {}
    case 'rename': {
      const record = { ...known(asked.name), name: asked.to }
      networks.running(record)?.rename(record)
      return {}
    }
    case 'connect': {
      const record = known(asked.name)
      const change = await networks.connect(record, asked.network, asked.config)
      const endpoints = change(record.endpoints)
      containers.set(asked.name, { ...record, endpoints })
      return endpoints
    }
    case 'disconnect': {
      const record = known(asked.name)
      const change = await networks.disconnect(record, asked.network)
      const endpoints = change(record.endpoints)
      containers.set(asked.name, { ...record, endpoints })
      return endpoints
    }
    case 'look': {
      const record = known(asked.name)
      const entered = networks.running(record)
      const settings = networks.settings(record)
      return {
        ...{ id: record.id, settings, former: withFormerFields(settings) },
        ...{ hosts: entered?.hosts(), resolvConf: entered?.resolvConf() },
        variables: entered?.variables(),
      }
    }
    case 'events':
      return events.splice(0)
  }
}

serveTest(perform, () => networks[Symbol.asyncDispose]())
