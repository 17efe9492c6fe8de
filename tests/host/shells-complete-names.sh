# Help for each verb, manual pages where man finds them, and completions of bash: verbs, options, and the names
# of hosts, inputs, generations and specialisations.

needs enact
host web

configuration web flake << 'NIX'
{ specialisation.red.configuration.environment.etc.colour.text = "red"; }
NIX
on web enact switch --flake /root/flake#web

step "help: all verbs, one of them, and of a verb that is none"
on web enact --help
says_on_stdout "switch" "list-generations" "man enact-VERB"
on web enact switch --help
says_on_stdout "-F, --flake" "--confirm SECONDS" "Handed on to Nix"
on web enact help clean
says_on_stdout "--older-than AGE"
says_not "--flake"
refused web 2 enact swich
says_on_stderr "Did you mean 'switch'?"

step "a page for each verb"
on web sh -c 'for verb in $(enact --help | sed -n "s/^  \([a-z-]*\) .*/\1/p"); do test -s /usr/share/man/man1/enact-$verb.1 || echo "no page for $verb"; done'
says_nothing
exists web /usr/share/man/man1/enact.1
exists web /usr/share/zsh/site-functions/_enact
exists web /usr/share/fish/vendor_completions.d/enact.fish

# completes "WORD...": what bash offers for the last of them
completes() {
    on web bash -c 'source /usr/share/bash-completion/completions/enact
        read -ra COMP_WORDS <<< "$1"; [ "${1% }" = "$1" ] || COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _enact; printf "%s\n" "${COMPREPLY[@]}"' - "$1"
}

step "verbs and options"
completes "enact sw"
is "$(said | xargs)" switch
completes "enact build-"
is "$(said | xargs)" "build-vm build-vm-with-bootloader build-image"
completes "enact switch --fo"
is "$(said | xargs)" "--force --force-host"
completes "enact clean --fo"
is "$(said | xargs)" ""
completes "enact generations p"
is "$(said | xargs)" pin

step "names"
completes "enact switch --flake /root/flake -H "
is "$(said | xargs)" web
completes "enact switch --flake /root/flake#"
is "$(said | xargs)" "/root/flake#web"
completes "enact rollback "
is "$(said | xargs)" "2 1"
completes "enact switch -c "
is "$(said | xargs)" red
completes "enact update --flake /root/flake en"
is "$(said | xargs)" "enact"
completes "enact switch --flake /nowhere -H "
is "$(said | xargs)" ""
