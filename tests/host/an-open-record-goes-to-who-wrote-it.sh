# The record of an interrupted switch is left to the engine that wrote it: at boot and before another
# engine's own work, also if that one is newer. One that is gone, or a record that nobody can read,
# does not stop the next switch for good.

needs enact
host web

configuration web new << 'NIX'
{
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1002"; };
  system.activationScripts.hold = "/usr/local/bin/hold-here";
}
NIX
new=$(built web new)
old=$(running_of web)
record=/var/lib/enact/transaction.json
engine=/usr/libexec/enact/enact-activate

# interrupted: the power goes in the middle of a switch, and nobody has looked after it yet
interrupted() {
    hold web
    begin switch web enact switch --store-path "$new"
    eventually 30 held web
    on web cp "$record" /root/record
    power_cut web
    boot web
    on web cp /root/record "$record"
}

# by_another: the record names the other engine
by_another() {
    write web /usr/local/bin/other-engine << END
#!/bin/sh
echo "\$*" >> /root/called
$1
END
    on web chmod +x /usr/local/bin/other-engine
    on web rm -f /root/called
    on web sed -i 's|"engine":"[^"]*"|"engine":"/usr/local/bin/other-engine"|' "$record"
}

closed() {
    missing web "$record"
    is "$(running_of web)" "$old"
    is "$(profile_of web)" "$old"
}

step "by hand, and so at boot"
interrupted
by_another "exec $engine recover"
on web "$engine" recover
says "The host was started anew"
closed
is "$(contents web /root/called)" recover

step "before the work of another one"
interrupted
by_another "exec $engine recover"
on web enact test --store-path "$old" --force
is "$(contents web /root/called)" recover
closed

step "a newer one"
interrupted
by_another "rm $record; echo Done by the newer one."
on web sed -i 's/"version":1/"version":2/' "$record"
on web enact test --store-path "$old" --force
says "Done by the newer one."
closed

step "a newer one that is gone: refused, and named"
interrupted
by_another ""
on web sed -i 's/"version":1/"version":2/' "$record"
on web rm /usr/local/bin/other-engine
refused web 1 enact switch --store-path "$old"
says "newer version" "/usr/local/bin/other-engine recover" "Nothing was changed."
exists web "$record"
on web rm "$record"

step "an older one that is gone: this one knows, too"
interrupted
by_another ""
on web rm /usr/local/bin/other-engine
on web enact test --store-path "$old" --force
closed

step "one that was cut: set aside, and all units are looked after"
interrupted
on web truncate --size 100 "$record"
on web enact switch --store-path "$old"
says "damaged"
closed
missing web /var/lib/enact/transaction.damaged
