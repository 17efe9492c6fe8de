# A service that keeps something: a line per minute in /var/lib/notebook/notes.
{ ... }:
{
  systemd.services.notebook = {
    description = "Write down the time";
    wantedBy = [ "multi-user.target" ];

    # `script` is the short way to write ExecStart.
    script = ''
      while true; do
        date >> "$STATE_DIRECTORY/notes"
        sleep 60
      done
    '';
    serviceConfig = {
      StateDirectory = "notebook";
      DynamicUser = true;
    };

    # Restart it in one go after a change, rather than stop it for as long as the switch takes.
    stopIfChanged = false;
  };
}
