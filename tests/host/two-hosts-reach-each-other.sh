# Two hosts in one scenario have a network of their own: they reach each other by name and no one
# else, and neither sees the other's processes.

host web
host db

on web ping -c 1 -W 2 db
on db ping -c 1 -W 2 web

step "they are two machines"
is_not "$(ask web cat /etc/machine-id)" "$(ask db cat /etc/machine-id)"
is "$(ask db hostname)" db
refused web 1 pgrep --full "systemd-nspawn"

step "one speaks to the other"
write db /root/greeting <<< "hello from db"
begin listener db sh -c 'ssh-keygen -A > /dev/null; mkdir -p /run/sshd; exec /usr/sbin/sshd -D -e'
eventually 30 said_so_far listener "Server listening"
on web ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
write db /root/.ssh/authorized_keys <<< "$(contents web /root/.ssh/id_ed25519.pub)"
on web ssh -o StrictHostKeyChecking=accept-new db cat /root/greeting
is "$(said)" "hello from db"
signal listener TERM
ends listener 0

step "one of them losing its power does not concern the other"
steady=$(pid_of web steady.service)
power_cut db
same_pid web steady.service "$steady"
refused web 1 ping -c 1 -W 1 db
boot db
on web ping -c 1 -W 2 db
