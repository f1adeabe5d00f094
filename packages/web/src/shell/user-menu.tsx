import { Avatar, Menu, Text, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import { IconDeviceDesktop, IconLock, IconLogout, IconMoon, IconSun } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { ChangePasswordDialog, useMe, useSignOut } from '../features/session/index.ts';

const schemes = [
  { value: 'auto', label: 'Like the system', Glyph: IconDeviceDesktop },
  { value: 'light', label: 'Light', Glyph: IconSun },
  { value: 'dark', label: 'Dark', Glyph: IconMoon },
] as const;

export function UserMenu(): ReactNode {
  const { user, organization } = useMe();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const signOut = useSignOut();
  const navigate = useNavigate();
  const [isChanging, setChanging] = useState(false);
  const name = `${user.firstName} ${user.lastName}`.trim() || user.email;
  const initials = name
    .split(/[\s.@]+/)
    .slice(0, 2)
    .map((part) => part.charAt(0).toUpperCase())
    .join('');
  return (
    <>
      {isChanging && <ChangePasswordDialog onClose={() => setChanging(false)} />}
      <Menu position="bottom-end" width={240}>
        <Menu.Target>
          <UnstyledButton aria-label={`${initials}: account of ${name}`} style={{ borderRadius: '50%' }}>
            <Avatar size={34} radius="xl" variant="filled" color="harbour" aria-hidden="true">
              {initials}
            </Avatar>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label c="dimmed">
            <Text span size="sm" fw={600} c="var(--mantine-color-text)" display="block" truncate>
              {name}
            </Text>
            <Text span size="xs" display="block" truncate>
              {user.email}
            </Text>
            <Text span size="xs" display="block" truncate>
              {organization.name} · {user.roles[0]?.name ?? 'Member'}
            </Text>
          </Menu.Label>
          <Menu.Divider />
          <Menu.RadioGroup value={colorScheme} onChange={(value) => setColorScheme(value as typeof colorScheme)}>
            {schemes.map(({ value, label, Glyph }) => (
              <Menu.RadioItem
                key={value}
                value={value}
                closeMenuOnClick={false}
                rightSection={<Glyph size={16} aria-hidden="true" />}
              >
                {label}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
          <Menu.Divider />
          <Menu.Item leftSection={<IconLock size={16} aria-hidden="true" />} onClick={() => setChanging(true)}>
            Change password
          </Menu.Item>
          <Menu.Item
            leftSection={<IconLogout size={16} aria-hidden="true" />}
            onClick={() => signOut.mutate(undefined, { onSettled: () => void navigate({ to: '/login' }) })}
          >
            Sign out
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
