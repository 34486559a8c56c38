/**
 * The permissions page: `docs/PERMISSIONS.md`, made from the table that the handlers go by.
 */
import { type Permission, permissions } from '../../engine/actors/group/permissions.ts'

/** Builds the page. */
export function permissionsPage(): string {
  const rows = (Object.entries(permissions) as [string, Permission][]).map(
    ([name, permission]) =>
      `| [\`${name}\`](PROTOCOL.md#${name}) | ${who(permission)} | ${rules(permission).join('; ')} |`,
  )
  return `<!-- Made by \`npm run docs\` from engine/actors/group/permissions.ts: edit the table there, not this page. -->

# Who may do what

A group has members of three roles: \`admin\`, \`moderator\`, \`member\`; each has the permissions of the next one. The
creator of a group is its admin, and a group has an admin as long as it has members: when the last admin leaves,
the oldest moderator becomes admin, or else the oldest member. Both users of a direct chat are always admins.

The code of an error names the rule: \`not_a_member\`, \`role_needed\`, \`higher_role\`, \`not_yours\`,
\`muted\`, \`banned\`, \`direct_chat\`, \`last_admin\`, \`no_contact\`. Its message explains it.

To others than its members a private group or a direct chat does not exist: every request that names it, or
a message or file of it, fails with \`not_found\`, like for an unknown id. Who is invited
may accept or decline, and who has left may delete and recall what they sent, and nothing else. \`create_group\`
with an id in use fails with \`already_exists\`.

Where one of two users has blocked the other, neither opens a direct chat with the other, posts, reacts or types in
theirs, adds, invites or signals the other: each of these is \`no_contact\`, for both alike.

A user who opens a direct chat with a user of no common group sees nothing of the other's presence, typing and
receipts before the other has accepted it by \`join_group\`, or has posted or reacted there; a \`signal\` is
\`no_contact\` until then. With the contact policy \`request\` the other becomes a member when they accept: at most 100
events wait for them; above that, \`limit_reached\`.

| request | from which role on | and only |
| --- | --- | --- |
${rows.join('\n')}

A service that embeds Tertulia may refuse more with its hooks, never allow more.
`
}

function who({ role }: Permission): string {
  return role === 'anyone' ? 'anyone' : `\`${role}\``
}

function rules({ groupsOnly, posts, also }: Permission): string[] {
  return [
    ...(groupsOnly ? ['not in a direct chat'] : []),
    ...(posts ? ['while not muted'] : []),
    ...(also ? [also] : []),
  ]
}
