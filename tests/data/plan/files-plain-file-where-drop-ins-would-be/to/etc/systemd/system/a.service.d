[Service]
Nice=1
