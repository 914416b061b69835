import { expect, test } from 'vitest'
import { mergeGreeting, unknownFields } from './greeting.ts'

test('a greeting is merged once, everywhere: what a name holds is not merged again, and unknown fields stay', () => {
  const person = { name: '{公司}$&', department: null, company: '青禾' }
  expect(mergeGreeting('{姓名}：{部门}的{姓名}，{公司}祝您{快乐}', person)).toBe('{公司}$&：的{公司}$&，青禾祝您{快乐}')
  expect(unknownFields('{姓名}{Name}{}{Name}')).toEqual(['{Name}', '{}'])
})
