import { expect, test } from 'vitest'
import { mergeGreeting, unknownFields, yearsField } from './greeting.ts'

test('a greeting is merged once, everywhere: what a name holds is not merged again, and unknown fields stay', () => {
  const person = { name: '{公司}$&', department: null, company: '青禾' }
  expect(mergeGreeting('{姓名}：{部门}的{姓名}，{公司}祝您{快乐}', person)).toBe('{公司}$&：的{公司}$&，青禾祝您{快乐}')
  expect(unknownFields('{姓名}{Name}{}{Name}')).toEqual(['{Name}', '{}'])
})

test('years are filled only where they are counted, and known only where a run may say them', () => {
  const person = { name: '张三', department: null, company: '青禾' }
  expect(mergeGreeting('{姓名}的{年数}年', { ...person, years: 5 })).toBe('张三的5年')
  expect(mergeGreeting('{姓名}的{年数}年', { ...person, years: null })).toBe('张三的{年数}年')
  expect(mergeGreeting('{toString}{constructor}', person)).toBe('{toString}{constructor}')
  expect([unknownFields('{年数}'), unknownFields('{年数}', [yearsField])]).toEqual([['{年数}'], []])
})
