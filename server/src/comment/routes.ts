import type { FastifyInstance } from 'fastify'
import { Compile } from 'typebox/compile'
import { CommentGiven, type CommentRow, type CommentRows } from '@kawal/contract/comment.ts'
import { file_body_bytes_max } from '@kawal/contract/file.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { bodyOf } from '../body.ts'
import { fileOf, sendFile } from '../file.ts'
import { allowed, ProblemError } from '../problem.ts'
import { callerWho } from '../readiness/ask.ts'
import { addComment, listComments, readFile } from './comments.ts'

interface CommentNeeds {
  readonly database: Database
  readonly clock: () => Instant
  /** Told of a disturbance of which somebody wrote, after the commit, so that live views can follow. */
  readonly changed: (disturbance: string) => void
}

const path = '/v1/disturbances/:id/comments'
/** As a text field of a page counts: UTF-16. The database counts characters, which are no more. */
const text_chars_max = 2_000
const name_chars_max = 200
const checkGiven = Compile(CommentGiven)

/** What people say of a disturbance, in place of a chat group: whoever sees it reads all, and Bawaslu writes nothing. */
export function commentRoutes(app: FastifyInstance, { database, clock, changed }: CommentNeeds): void {
  app.get<{ Params: { id: string } }>(path, async (request): Promise<CommentRows> => ({ rows: await listComments(database, callerWho(request, 'read', 'comment'), request.params.id) }))
  // Asked before the body is read: nobody sends 7 MB to be told that he may not.
  app.post<{ Params: { id: string } }>(path, { bodyLimit: file_body_bytes_max, onRequest: async (request) => void callerWho(request, 'write', 'comment') }, async (request, reply): Promise<CommentRow> => {
    const caller = callerWho(request, 'write', 'comment')
    const { text = '', file } = bodyOf(checkGiven, request.body)
    const said = { name: (request.staff?.name ?? request.key?.id ?? 'API').slice(0, name_chars_max), text: text.trim(), file: file === undefined ? null : fileOf(file, '/file') }
    if (said.text.length > text_chars_max) throw new ProblemError('body_invalid', `/text has ${said.text.length} characters; at most ${text_chars_max}.`)
    if (said.text === '' && said.file === null) throw new ProblemError('body_invalid', 'There is neither text nor file. Write something, or attach something.')
    const row = await allowed(() => addComment(database, caller, request.params.id, said, clock()))
    changed(request.params.id)
    void reply.code(201)
    return row
  })
  app.get<{ Params: { id: string; comment: string } }>(`${path}/:comment/file`, async (request, reply) =>
    sendFile(reply, await readFile(database, callerWho(request, 'read', 'comment'), request.params.id, request.params.comment)))
}
