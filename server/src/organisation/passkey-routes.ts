import type { FastifyInstance } from 'fastify'
import { Compile } from 'typebox/compile'
import { PasskeyGiven, PasskeyPatch, type PasskeyRow } from '@kawal/contract/log-in.ts'
import { bodyOf } from '../body.ts'
import { ProblemError } from '../problem.ts'
import { passkeySiteOf, type LogInNeeds } from './log-in-routes.ts'
import { addPasskey, credentialsOf, listPasskeys, removePasskey, renamePasskey } from './passkeys.ts'
import { selfOf } from './routes.ts'
import { creationOptions, proveCreation } from './web-authn.ts'

const path = '/v1/passkeys'
const checkGiven = Compile(PasskeyGiven)
const checkPatch = Compile(PasskeyPatch)

/** A person's own passkeys. Who has an invitation, or another way in, makes one; a key of an organisation has none. */
export function passkeyRoutes(app: FastifyInstance, { database, clock, ceremonies, publicUrl }: Omit<LogInNeeds, 'providers'>): void {
  app.get(path, (request) => listPasskeys(database, selfOf(request)))
  app.post(`${path}/options`, async (request, reply) => {
    const self = selfOf(request)
    const site = passkeySiteOf(publicUrl, request)
    const options = await creationOptions(site, { staff: self.staff, name: request.staff?.name ?? '', organisation: self.caller.organisation }, await credentialsOf(database, self))
    ceremonies.begin(request, reply, { kind: 'passkey_new', challenge: options.challenge, staff: self.staff })
    return options
  })
  app.post(path, async (request, reply): Promise<PasskeyRow> => {
    const self = selfOf(request)
    const { name, credential } = bodyOf(checkGiven, request.body)
    const { challenge, staff } = await ceremonies.end(request, reply, 'passkey_new')
    if (staff !== self.staff) throw new ProblemError('ceremony_over', 'Somebody else began it in this browser. Begin again.')
    const proven = await proveCreation(credential, passkeySiteOf(publicUrl, request), challenge)
    if (!proven.ok) {
      request.log.warn({ why: proven.error }, 'a new passkey was not proven')
      throw new ProblemError('passkey_refused', 'What came from your device does not prove the new passkey. Try again.')
    }
    const row = await addPasskey(database, self, proven.value, name.trim(), clock())
    void reply.code(201)
    return row
  })
  app.patch<{ Params: { id: string } }>(`${path}/:id`, (request) => {
    const self = selfOf(request)
    return renamePasskey(database, self, request.params.id, bodyOf(checkPatch, request.body).name.trim())
  })
  app.delete<{ Params: { id: string } }>(`${path}/:id`, async (request, reply) => {
    await removePasskey(database, selfOf(request), request.params.id)
    return reply.code(204).send()
  })
}
