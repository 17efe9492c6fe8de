# A machine with one of everything that ./test looks at.
{ config, lib, pkgs, ... }:
{
  networking.hostName = "machine";
  system.nixos.label = "1.2";
  time.timeZone = "Europe/Berlin";
  i18n.glibcLocales = pkgs.writeTextDir "lib/locale/locale-archive" "";
  boot.kernelParams = [ "quiet" "root=LABEL=nixos" ];
  boot.loader.external = { enable = true; installHook = "/opt/install-it's"; };
  system.switch.inhibitors.dbus-implementation = "dbus";
  system.preSwitchChecks.aaa = "echo \"first $1 $2\"";
  system.activationScripts.last = { text = "echo last"; deps = [ "etc" "first" ]; };
  system.activationScripts.first = { text = "echo first; false"; supportsDryActivation = true; };

  environment.etc."app/app.conf".text = "x\n";
  environment.etc."app/secret" = { text = "y\n"; mode = "0640"; group = "adm"; };
  environment.etc.gone = { text = "z\n"; enable = false; };

  fileSystems."/" = { device = "/dev/vda1"; fsType = "ext4"; };
  fileSystems."/srv/my data" = { device = "tmpfs"; fsType = "tmpfs"; options = [ "size=1m" ]; };
  swapDevices = [{ device = "/dev/vda2"; }];

  systemd.services = {
    web = {
      description = "The web";
      documentation = [ "man:web(8)" ];
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" "db.service" ];
      requires = [ "db.service" ];
      environment.COLOUR = "light \"blue\"";
      environment.GONE = null;
      path = [ pkgs.hello ];
      preStart = "echo before";
      script = "exec sleep infinity";
      restartTriggers = [ config.environment.etc."app/app.conf".source [ "and" 1 ] ];
      reloadTriggers = [ "r" ];
      serviceConfig = { Restart = "always"; PrivateTmp = true; ExecStopPost = [ "/bin/a" "/bin/b" ]; LimitNOFILE = 7; };
      unitConfig."X-StopOnRemoval" = false;
      startAt = "daily";
    };
    db = { serviceConfig.ExecStart = "/bin/db"; enableDefaultPath = false; stopIfChanged = false; restartIfChanged = false; };
    bus = { serviceConfig.ExecStart = "/bin/bus"; reloadIfChanged = true; restartIfChanged = false; notSocketActivated = true; };
    "worker@" = { serviceConfig.ExecStart = "/bin/worker %i"; };
    "worker@one" = { overrideStrategy = "asDropin"; environment.N = "1"; enableDefaultPath = false; wantedBy = [ "multi-user.target" ]; };
    off = { enable = false; serviceConfig.ExecStart = "/bin/off"; wantedBy = [ "multi-user.target" ]; };
    foreign = { serviceConfig.Nice = 5; enableDefaultPath = false; };
    old-name.serviceConfig.ExecStart = "/bin/new";
    old-name.aliases = [ "alias.service" ];
  };
  systemd.packages = [ (pkgs.writeTextDir "lib/systemd/system/foreign.service" "[Service]\nExecStart=/bin/foreign\n") ];
  systemd.sockets.db = { listenStreams = [ "/run/db" "9999" ]; wantedBy = [ "sockets.target" ]; };
  systemd.paths.watch = { pathConfig.PathChanged = "/etc/x"; };
  systemd.slices.small.sliceConfig.MemoryMax = "1M";
  systemd.targets.multi-user.unitConfig."X-Test" = true;
  systemd.mounts = [{ what = "tmpfs"; where = "/srv/a-b"; type = "tmpfs"; options = "size=1m"; requiredBy = [ "local-fs.target" ]; }];
  systemd.automounts = [{ where = "/srv/c"; automountConfig.TimeoutIdleSec = 1; }];
  systemd.units."raw.service" = { text = "[Service]\nExecStart=/bin/raw\n"; upheldBy = [ "web.service" ]; };
  systemd.user.services.tea = { script = "true"; wantedBy = [ "default.target" ]; };

  specialisation.red.configuration = { boot.kernelParams = [ "red" ]; };
  specialisation.bare = { inheritParentConfig = false; configuration = { nixpkgs.hostPlatform = "x86_64-linux"; }; };
}
