import { Type, type Static } from 'typebox'
import { GivenFile } from './file.ts'
import { Timestamp } from './report.ts'

/** What people say of a disturbance. Nothing of it is changed or taken back: whoever errs says so in the next. */

/** A text, a file, or both. */
export const CommentGiven = Type.Object({ text: Type.Optional(Type.String({ maxLength: 2_000 })), file: Type.Optional(GivenFile) }, { additionalProperties: false })
export type CommentGiven = Static<typeof CommentGiven>

export const CommentRow = Type.Object({
  id: Type.String(), at: Timestamp, organisation: Type.String(), organisationName: Type.String(),
  name: Type.String({ description: 'of the person, or the id of the API key' }),
  text: Type.String(),
  file: Type.Union([Type.Object({ name: Type.String(), mimeType: Type.String(), bytes: Type.Integer() }), Type.Null()], { description: 'its content is at .../comments/ID/file' }),
})
export type CommentRow = Static<typeof CommentRow>
/** In the order of time. */
export const CommentRows = Type.Object({ rows: Type.Array(CommentRow) })
export type CommentRows = Static<typeof CommentRows>
