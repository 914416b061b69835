import { DecideCoverInput, ReviewList, ReviewListInput } from '../../../contract/operator/review.ts'
import { z } from 'zod'
import { CoverIdInput, CoverPictureInput, CoverView, coverBytes } from '../../../contract/store/cover.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { decideCover } from './decide-cover.ts'
import { readOwnCover, readPicture } from './read-cover.ts'
import { readReview } from './read-review.ts'
import { uploadCover } from './upload-cover.ts'

/** What a buyer does with pictures of their own, and what the platform makes of them. */
export const coverEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: '/store/covers',
    may: 'buyer.act',
    scope: 'edge',
    body: 'raw',
    idempotent: true,
    limitBytes: coverBytes,
    input: z.object({}),
    output: CoverView,
    run: async (edge, _input, http) => {
      const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
      const id = await uploadCover(edge, key, http.raw ?? Buffer.alloc(0))
      return edge.read((tx) => readOwnCover(tx, id))
    },
  }),
  endpoint({
    method: 'GET',
    path: '/store/covers/:id',
    may: 'buyer.read',
    scope: 'read',
    input: CoverIdInput,
    output: CoverView,
    run: (tx, { id }) => readOwnCover(tx, id),
  }),
  endpoint({
    method: 'GET',
    path: '/store/covers/:id/picture',
    may: 'public',
    scope: 'read',
    input: CoverPictureInput,
    output: 'stream',
    run: async (tx, link, http) => {
      const picture = await readPicture(tx, link)
      http.setHeader('Content-Type', 'image/jpeg')
      http.setHeader('Cache-Control', 'private, max-age=3600')
      return picture
    },
  }),
  endpoint({
    method: 'GET',
    path: '/operator/covers',
    may: 'cover.review',
    scope: 'read',
    input: ReviewListInput,
    output: ReviewList,
    run: (tx, page) => readReview(tx, page),
  }),
  endpoint({
    method: 'POST',
    path: '/operator/covers/:id/decide',
    may: 'cover.review',
    scope: 'tx',
    body: 'json',
    input: DecideCoverInput,
    output: 'stream',
    run: (tx, { id, decision }) => decideCover(tx, id, decision),
  }),
]
